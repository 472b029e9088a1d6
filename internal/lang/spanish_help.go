package lang

// help has the Spanish of the commands' help.
var help = map[string]string{}
