"""The customers' dialects: one reader and one writer for each wire format. No IO.

A request goes `document` (bytes to a safe tree) → `reader` (tree to `ApiRequest`); an answer comes from
`writer`, a notification from `postback`. `names` is what the two XML dialects call things.
"""
