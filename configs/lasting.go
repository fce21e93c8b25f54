package configs

// CarryOver sets the RestartOnly settings of s, which is the result of a reload, to their current values. It returns
// the names of the settings that would have changed.
func (s *Settings) CarryOver(current *Settings) (kept []string) {
	before := current.table(Catalog{})
	for i, setting := range s.table(Catalog{}) {
		if !setting.RestartOnly || setting.text() == before[i].text() {
			continue
		}
		setting.set(before[i].text()) // valid, because it was in force
		s.sources[setting.Name] = current.Source(setting.Name)
		kept = append(kept, setting.Name)
	}
	return kept
}
