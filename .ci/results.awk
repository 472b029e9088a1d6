# Reads `go test -json` and prints what `go test` prints: a line for each package, and the output of each failed test. At the end
# it lists the tests that were skipped, with their reasons. It ends with 1 where anything failed, or where nothing was run.

# value returns a string of the JSON object in $0, without JSON's escapes; "" where there is none.
function value(key,    s) {
	if (!match($0, "\"" key "\":\"([^\"\\\\]|\\\\.)*\"")) return ""
	s = substr($0, RSTART + length(key) + 4, RLENGTH - length(key) - 5)
	gsub(/\\\\/, "\001", s)
	gsub(/\\n/, "\n", s); gsub(/\\t/, "\t", s); gsub(/\\"/, "\"", s); gsub(/\\u003c/, "<", s); gsub(/\\u003e/, ">", s); gsub(/\\u0026/, "\\&", s)
	gsub(/\001/, "\\", s)
	return s
}

{ action = value("Action"); test = value("Package") " " value("Test") }
value("Test") == "" {
	# Of a package, or of its build.
	line = value("Output")
	if (line ~ /^(PASS|FAIL|testing: warning: no tests to run)\n$/) line = ""
	printf "%s", line
	if (action == "pass") ran++
	if (action == "fail" || action == "build-fail") failed++
	next
}
action == "output" { output[test] = output[test] value("Output") }
action == "pass" { passed++ }
action == "fail" { failures++; printf "%s", output[test] }
action == "skip" {
	reason = output[test]
	gsub(/(===|---) [^\n]*\n/, "", reason)
	sub(/^ *[a-z0-9_]*\.go:[0-9]*: /, "", reason)
	gsub(/ *\n */, " ", reason)
	sub(/ $/, "", reason)
	skips[++skipped] = test ": " reason
}
action ~ /^(pass|fail|skip)$/ { delete output[test] }

END {
	# A test that has no end took its package with it.
	for (test in output) if (output[test] != "") { failures++; printf "%s", output[test] }
	if (skipped) print "\nskipped:"
	for (i = 1; i <= skipped; i++) print "  " skips[i]
	printf "\n%d passed, %d failed, %d skipped\n", passed, failures, skipped
	exit failed || failures || !ran
}
