-- What is older than `retention_days` goes, with all that belongs to it: these find it.
CREATE INDEX carrier_id_message ON carrier_id (message_id);
CREATE INDEX content_blob_content ON content_blob (content_id);
