"""An upload becomes READY: inbox, inspection in a child process, preparation, quantisation, golden vectors."""
