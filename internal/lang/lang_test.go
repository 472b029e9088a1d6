package lang

import "testing"

func TestTheEnvironmentChoosesTheLanguage(t *testing.T) {
	for _, row := range []struct {
		all, messages, lang string
		want                Language
	}{
		{"", "", "", English},
		{"", "", "es_AR.UTF-8", Spanish},
		{"", "", "es", Spanish},
		{"", "", "es.UTF-8", Spanish},
		{"", "", "es@latin", Spanish},
		{"", "", "est", English},
		{"", "", "et_EE.UTF-8", English},
		{"", "es_ES", "en_US.UTF-8", Spanish},
		{"", "C", "es_AR.UTF-8", English},
		{"es_AR", "C", "C", Spanish},
		{"C", "es_AR", "es_AR", English},
	} {
		set := map[string]string{"LC_ALL": row.all, "LC_MESSAGES": row.messages, "LANG": row.lang}
		if got := FromEnvironment(func(name string) string { return set[name] }); got != row.want {
			t.Errorf("%v: %s, want %s", set, got, row.want)
		}
	}
}

func TestNumbersHaveTheirThousandsSeparated(t *testing.T) {
	for n, want := range map[uint64][2]string{0: {"0", "0"}, 999: {"999", "999"}, 1000: {"1,000", "1.000"}, 12345678: {"12,345,678", "12.345.678"}} {
		if got := [2]string{English.Count(n), Spanish.Count(n)}; got != want {
			t.Errorf("%d: %v, want %v", n, got, want)
		}
	}
}

func TestAmountsHaveTwoDecimals(t *testing.T) {
	for cents, want := range map[uint64][2]string{0: {"0.00", "0,00"}, 5: {"0.05", "0,05"}, 100: {"1.00", "1,00"}, 52123200: {"521,232.00", "521.232,00"}} {
		if got := [2]string{English.Money(cents), Spanish.Money(cents)}; got != want {
			t.Errorf("%d: %v, want %v", cents, got, want)
		}
	}
	if got := English.Fraction(880, 4) + " " + Spanish.Fraction(8880, 4); got != "0.0880 0,8880" {
		t.Error(got)
	}
}
