"""Programs that fetch pages without a person looking: link previews, search engines, scanners (R-37)."""

#: Parts of a User-Agent, in lower case. A part must not occur in the name of a browser inside an app, behind which
#: there is a person ("Line/", "Pinterest/", "Snapchat", "FBAN/", "Instagram" are such).
ROBOTS: tuple[str, ...] = (
    # previews in messengers; iMessage names itself facebookexternalhit and Twitterbot
    "facebookexternalhit", "facebookcatalog", "facebot", "meta-externalagent", "meta-externalfetcher", "whatsapp",
    "twitterbot", "telegrambot", "slackbot", "slack-imgproxy", "discordbot", "skypeuripreview", "linkedinbot",
    "line-poker", "linespider", "kakaotalk-scrap", "snap url preview", "viber/", "vkshare", "redditbot",
    "pinterestbot", "mattermost-bot", "mastodon/", "synapse", "zalo-preview", "teams-preview", "msteams",
    # services that make previews
    "embedly", "iframely", "opengraph", "linkpreview", "link-preview", "urlpreview", "bitlybot", "nuzzel",
    # search engines and their renderers
    "googlebot", "google-inspectiontool", "googleother", "google-read-aloud", "google-safety", "googleimageproxy",
    "adsbot-google", "mediapartners-google", "feedfetcher-google", "google web preview", "applebot", "bingbot",
    "bingpreview", "adidxbot", "msnbot", "yandexbot", "yandeximages", "baiduspider", "duckduckbot", "duckassistbot",
    "petalbot", "yahoo! slurp", "sogou", "seznambot", "qwantify", "naver.me", "yeti/", "archive.org_bot",
    "ia_archiver", "ccbot", "gptbot", "chatgpt-user", "oai-searchbot", "claudebot", "claude-user", "perplexitybot",
    "bytespider", "amazonbot", "ahrefsbot", "semrushbot", "mj12bot", "dotbot", "dataforseobot",
    # scanners of links in mail and SMS, monitors
    "barracuda", "proofpoint", "mimecast", "urlscan", "virustotal", "safebrowsing", "phishtank", "uptimerobot",
    "pingdom", "statuscake",
    # programs that say what they are
    "crawler", "spider", "headlesschrome", "curl/", "wget/", "python-requests", "python-urllib", "python-httpx",
    "aiohttp", "go-http-client", "java/", "libwww-perl", "axios/", "node-fetch", "scrapy", "phantomjs",
)  # fmt: skip


def is_robot(user_agent: str) -> bool:
    """Whether that User-Agent is a known robot's. Every browser names itself: an empty one is a robot's too."""
    name = user_agent.lower()
    return not name.strip() or any(robot in name for robot in ROBOTS)
