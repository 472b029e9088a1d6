package draw

// Block is what the words of a prize's number are read from.
func Block(randomness [HashSize]byte, t Terms, prize int, ctr uint32) [HashSize]byte {
	return block(randomness, t.info(prize), ctr)
}
