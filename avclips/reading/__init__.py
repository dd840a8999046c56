"""The packets of a clip out of a stream, whatever its layout; each module reads no more than it must."""
