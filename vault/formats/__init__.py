"""One file per specification: `parse(bytes) -> frozen value`, `encode(value) -> bytes`. No input or output here."""
