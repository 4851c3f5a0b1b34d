"""What happens when a machine, a disk or a file fails: proofs, and the page that tells of them."""
