"""Media files on this machine: what they hold, and how a clip is cut out of one by ffmpeg."""
