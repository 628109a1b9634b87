"""What carriers send us: delivery reports over MM7, receipts over SMPP. Committed before they are answered."""
