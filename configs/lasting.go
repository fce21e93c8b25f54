package configs

// KeepLasting gives s, which was read again, the lasting settings of those in force, which nothing but a restart
// changes. It returns the names of those that were to change.
func (s *Settings) KeepLasting(inForce *Settings) (kept []string) {
	before := inForce.table(Catalog{})
	for i, setting := range s.table(Catalog{}) {
		if !setting.Lasting || setting.text() == before[i].text() {
			continue
		}
		setting.set(before[i].text()) // it is right: it was in force
		s.sources[setting.Name] = inForce.Source(setting.Name)
		kept = append(kept, setting.Name)
	}
	return kept
}
