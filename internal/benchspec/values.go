package benchspec

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"demo-server/bench"
	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/modes"
)

// A ModeList holds names of modes that this system can run.
type ModeList []string

const allModes = "all"

func (ModeList) Choices() []string { return append([]string{allModes}, modes.Names()...) }

// UnmarshalText parses names with commas between them, or "all".
func (l *ModeList) UnmarshalText(text []byte) (err error) {
	*l, err = pickModes(string(text), modes.All)
	return err
}

// pickModes parses a list of modes. "all" skips the modes that this system cannot run, but naming one is a mistake.
func pickModes(text string, all []modes.Mode) (picked []string, err error) {
	if text == allModes {
		for _, mode := range all {
			if mode.Supported() == nil {
				picked = append(picked, mode.Name)
			}
		}
		return picked, nil
	}
	var wrong []error
	for name := range strings.SplitSeq(text, ",") {
		picked = append(picked, name)
		if err := canRun(name, all, ModeList{}.Choices()); err != nil {
			wrong = append(wrong, err)
		}
	}
	return picked, errors.Join(wrong...)
}

// canRun returns an error if there is no mode of that name, or if this system cannot run it. known are the names to
// suggest.
func canRun(name string, all []modes.Mode, known []string) error {
	for _, mode := range all {
		if mode.Name != name {
			continue
		}
		if err := mode.Supported(); err != nil {
			return fmt.Errorf("%s cannot run here: %w", name, err)
		}
		return nil
	}
	return configs.OneOf(name, known)
}

// A Variant is a mode with its own settings.
type Variant struct {
	given    string
	mode     string
	settings []configs.Flag
	kind     string         // of work; empty leaves it to the settings
	forced   []configs.Flag // settings that the command adds; they are not part of the name
}

// UnmarshalText parses MODE, or MODE:NAME=VALUE with more pairs after commas. The error joins all mistakes.
func (v *Variant) UnmarshalText(text []byte) error {
	v.given = string(text)
	mode, settings, some := strings.Cut(v.given, ":")
	v.mode = mode
	wrong := []error{canRun(mode, modes.All, modes.Names())}
	if some {
		for pair := range strings.SplitSeq(settings, ",") {
			wrong = append(wrong, v.addSetting(pair))
		}
	}
	return errors.Join(wrong...)
}

// addSetting parses one NAME=VALUE.
func (v *Variant) addSetting(pair string) error {
	name, value, ok := strings.Cut(pair, "=")
	if !ok {
		return fmt.Errorf("%s has no value; want NAME=VALUE", configs.Quote(pair))
	}
	why, chosen := reserved[name]
	switch {
	case chosen:
		return fmt.Errorf("%s: not available in a row: %s", name, why)
	case secrets()[name]:
		return fmt.Errorf("%s: is a secret, and a row is named by its settings; give --%s, which is for all rows", name, name)
	case v.sets(name):
		return fmt.Errorf("%s: is given twice", name)
	}
	v.settings = append(v.settings, configs.Flag{Name: name, Value: value})
	return checkSetting(name, value)
}

// checkSetting returns the mistakes in a setting's name or value.
func checkSetting(name, value string) error {
	var names []string
	for _, setting := range catalog.Configs().Table() {
		names = append(names, setting.Name)
	}
	if !slices.Contains(names, name) {
		if nearest := configs.Nearest(name, names); nearest != "" {
			return fmt.Errorf("%s: unknown setting; did you mean %s?", configs.Quote(name), nearest)
		}
		return fmt.Errorf("%s: unknown setting; %q lists all", configs.Quote(name), program+" --help")
	}
	_, err := configs.Load(configs.Inputs{
		Flags: []configs.Flag{{Name: name, Value: value}}, Catalog: catalog.Configs(), Partial: true,
	})
	var mistakes configs.Mistakes
	if !errors.As(err, &mistakes) {
		return err
	}
	var wrong []error
	for _, mistake := range mistakes {
		// A mistake in the value names the setting. A mistake in a file that the setting names has the file's name,
		// too.
		said, ofSetting := strings.CutPrefix(mistake.String(), "flag --")
		if !ofSetting {
			said = name + ": " + said
		}
		wrong = append(wrong, errors.New(said))
	}
	return errors.Join(wrong...)
}

// An ExternalServer is a server that is running already.
type ExternalServer struct {
	given     string
	argument  bool   // given without a flag
	name      string // empty until nameServers sets it
	url       *url.URL
	port      uint16
	addresses []netip.AddrPort // of the URL's host, looked up once
}

// UnmarshalText parses URL or NAME=URL. A URL without a name may have a = after its ://.
func (a *ExternalServer) UnmarshalText(text []byte) error {
	a.given = string(text)
	name, address, named := strings.Cut(a.given, "=")
	if !named || strings.Contains(name, "://") {
		name, address, named = "", a.given, false
	}
	u, err := url.Parse(address)
	switch {
	case err == nil && u.User != nil:
		return errors.New("has a user, which is not sent; want a URL without one")
	case named && name == "" || err != nil || u.Host == "":
		return errors.New("is not a URL or NAME=URL; want one such as http://127.0.0.1:8080/ or mine=http://127.0.0.1:8080/")
	case u.Scheme == "https":
		return errors.New("https is not spoken here: encryption would be measured, not the server; want http")
	case u.Scheme != "http":
		return errors.New("is not an http URL; want one such as http://127.0.0.1:8080/")
	}
	port, err := strconv.ParseUint(cmp.Or(u.Port(), "80"), 10, 16)
	if err != nil || port == 0 {
		return fmt.Errorf("port %s: want 1 to 65535", u.Port())
	}
	a.name, a.url, a.port = name, u, uint16(port)
	return nil
}

// nameServers names the servers without a name by their host and port, and by their path too if several share those.
func nameServers(servers []ExternalServer) {
	unnamed := map[string]int{} // how many are at an address
	for _, server := range servers {
		if server.name == "" {
			unnamed[server.hostPort()]++
		}
	}
	for i := range servers {
		server := &servers[i]
		if server.name != "" {
			continue
		}
		server.name = server.hostPort()
		if unnamed[server.name] > 1 {
			server.name += server.url.RequestURI()
		}
	}
}

func (a *ExternalServer) hostPort() string {
	return net.JoinHostPort(a.url.Hostname(), strconv.Itoa(int(a.port)))
}

// source returns the flag or argument of the server, for messages.
func (a *ExternalServer) source() string {
	if a.argument {
		return "argument " + configs.Quote(a.given)
	}
	return "flag --against " + configs.Quote(a.given)
}

// otherName returns how to rename the server if its name is taken.
func (a *ExternalServer) otherName() string {
	if strings.HasPrefix(a.given, a.name+"=") {
		return "want another name"
	}
	return "want NAME=" + a.given
}

// A Generator is the name of a load generator.
type Generator string

func (Generator) Choices() []string { return []string{bench.Builtin, bench.AB, bench.WRK} }

// UnmarshalText parses one of the known names.
func (g *Generator) UnmarshalText(text []byte) error {
	*g = Generator(text)
	return configs.OneOf(string(text), g.Choices())
}

// A Rate is a number of requests per second.
type Rate float64

// UnmarshalText parses a number from a thousandth to a million.
func (r *Rate) UnmarshalText(text []byte) error {
	n, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(n >= 0.001 && n <= 1_000_000) {
		return fmt.Errorf("%s is not a rate; want requests per second, from 0.001 to 1000000", configs.Quote(string(text)))
	}
	*r = Rate(n)
	return nil
}

// A Margin is a relative difference, such as 0.02.
type Margin float64

// UnmarshalText parses a percentage, such as 2%, or a number, such as 0.02.
func (m *Margin) UnmarshalText(text []byte) error {
	number, percent := strings.CutSuffix(string(text), "%")
	n, err := strconv.ParseFloat(number, 64)
	if percent {
		n /= 100
	}
	if err != nil || !(n >= 0.001 && n <= 0.5) {
		return fmt.Errorf("%s is not a margin; want one from 0.1%% to 50%%, such as 2%% or 0.02", configs.Quote(string(text)))
	}
	*m = Margin(n)
	return nil
}

// A FileName is the name of a file.
type FileName string

// UnmarshalText accepts any name that is not empty.
func (f *FileName) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New(`"" is not a file name`)
	}
	*f = FileName(text)
	return nil
}
