"""Who has the bytes of a video: yt-dlp's sites, and the archives that a user has already."""
