"""From an upload to a READY version: inbox, inspection in a child process, prepared and quantised forms."""
