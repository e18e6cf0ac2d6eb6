"""How a machine runs caspen-xero by itself: cron, systemd, launchd, Task Scheduler. Each file knows one of them."""
