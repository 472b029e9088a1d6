package witness

// FailWrites makes the next writes of the memory end with what f returns.
func (w *Witness) FailWrites(f func(path string, data []byte) error) { w.write = f }

// ReplaceFile is how it is written.
var ReplaceFile = replaceFile
