"""Other people's tools on the same work, each in an environment of its own: nothing here is a dependency of ours."""
