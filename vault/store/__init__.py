"""The only SQL. The store sees ciphertext, leaves and hashes, never a key and never a plaintext."""
