"""The command line of fieldvault: plain lines, prompts, exit codes. It knows the façade `vault` and nothing below."""
