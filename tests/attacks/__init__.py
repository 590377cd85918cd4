"""What users and strangers could do to others, tried for real: on loopback or networks of ours, bounded."""
