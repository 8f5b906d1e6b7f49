"""What runs NovaPulse elsewhere than on one bare machine."""
