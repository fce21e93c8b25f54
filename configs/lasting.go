package configs

// CarryOver gives s, which was read again, the lasting settings of those in force, which nothing but a restart
// changes. It returns the names of those that were to change.
func (s *Settings) CarryOver(current *Settings) (kept []string) {
	before := current.table(Catalog{})
	for i, setting := range s.table(Catalog{}) {
		if !setting.RestartOnly || setting.text() == before[i].text() {
			continue
		}
		setting.set(before[i].text()) // it is right: it was in force
		s.sources[setting.Name] = current.Source(setting.Name)
		kept = append(kept, setting.Name)
	}
	return kept
}
