package originals

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// debianPython is the interpreter for Debian's packages. The python3 of the PATH may be another one without their
// modules.
const debianPython = "/usr/bin/python3"

// packageOf maps a module to the Debian package that holds it.
var packageOf = map[string]string{
	"flask": "python3-flask", "gevent": "python3-gevent", "grpc": "python3-grpcio", "gunicorn": "gunicorn",
}

// interpreters returns the interpreters to search for modules, the preferred one first.
func interpreters() []string { return []string{"python3", debianPython} }

// A python is an interpreter and the modules that it has.
type python struct {
	path    string
	modules []string
}

func (p python) has(module string) bool { return slices.Contains(p.modules, module) }

func (p python) lacks(modules []string) []string {
	return slices.DeleteFunc(slices.Clone(modules), p.has)
}

// ask prints the path of the interpreter itself, which a wrapper on the PATH hides, and the given modules that exist.
const ask = `import importlib.util, sys
print(sys.executable, *filter(importlib.util.find_spec, sys.argv[1:]), sep="\n")`

// probeTimeout is the time limit for an interpreter's answer: a python3 on the PATH can be anything.
const probeTimeout = 20 * time.Second

// probe asks an interpreter for its modules. It runs in the folder, which has no modules of these names.
func probe(ctx context.Context, interpreter, folder string) (p python, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	arguments := []string{"-c", ask}
	for module := range packageOf {
		arguments = append(arguments, module)
	}
	command := exec.CommandContext(ctx, interpreter, arguments...)
	command.Dir = folder
	command.WaitDelay = time.Second // a wrapper's child may hold the pipe
	output, err := command.Output()
	lines := strings.FieldsFunc(string(output), func(r rune) bool { return r == '\n' || r == '\r' })
	if err != nil || len(lines) == 0 {
		return python{}, false
	}
	return python{lines[0], lines[1:]}, true
}

// A plan holds the interpreter and the programs that it cannot run.
type plan struct {
	interpreter string   // empty if there is none
	leftOut     []string // programs with missing modules
	packages    []string // Debian packages that would let all programs run
}

// planFor picks the one interpreter that can run most of the programs. Programs on different versions of Python or
// Flask would not be comparable.
func planFor(programs []Program, found []python) (best plan) {
	best.leftOut = names(programs)
	for _, p := range found {
		if leftOut := p.leavesOut(programs); len(leftOut) < len(best.leftOut) {
			best = plan{interpreter: p.path, leftOut: leftOut}
		}
	}
	if len(best.leftOut) > 0 {
		best.packages = missingPackages(programs, found)
	}
	return best
}

func names(programs []Program) (names []string) {
	for _, p := range programs {
		names = append(names, p.Name)
	}
	return names
}

// leavesOut returns the names of the programs that the interpreter cannot run.
func (p python) leavesOut(programs []Program) (leftOut []string) {
	for _, program := range programs {
		if len(p.lacks(program.Modules)) > 0 {
			leftOut = append(leftOut, program.Name)
		}
	}
	return leftOut
}

// missingPackages returns the packages that Debian's interpreter needs to run all programs.
func missingPackages(programs []Program, found []python) (missing []string) {
	var debians python
	for _, p := range found {
		if p.path == debianPython {
			debians = p
		}
	}
	for _, program := range programs {
		for _, module := range debians.lacks(program.Modules) {
			if name := packageOf[module]; !slices.Contains(missing, name) {
				missing = append(missing, name)
			}
		}
	}
	return missing
}
