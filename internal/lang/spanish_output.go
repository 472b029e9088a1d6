package lang

// output has the Spanish of what the commands print and ask.
var output = map[string]string{}
