"""Where results live: stored files by hash, the ledger, the seal on the test set."""
