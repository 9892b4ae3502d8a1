"""The subcommands of `orchestration` that speak to the API through the client."""
