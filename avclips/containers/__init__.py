"""What stands in the bytes of a media file: where the seconds and the packets lie. No file is opened here."""
