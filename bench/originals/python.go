package originals

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// debianPython is where Debian's packages put their modules. The python3 of the PATH may be another one, which has none
// of them.
const debianPython = "/usr/bin/python3"

// packageOf is Debian's name for what holds a module.
var packageOf = map[string]string{
	"flask": "python3-flask", "gevent": "python3-gevent", "grpc": "python3-grpcio", "gunicorn": "gunicorn",
}

// interpreters are those to look for modules in, the first choice first.
func interpreters() []string { return []string{"python3", debianPython} }

// A python is an interpreter, and which of the modules it has.
type python struct {
	path    string
	modules []string
}

func (p python) has(module string) bool { return slices.Contains(p.modules, module) }

func (p python) lacks(modules []string) []string {
	return slices.DeleteFunc(slices.Clone(modules), p.has)
}

// ask prints the interpreter's own path, which a wrapper on the PATH hides, and those of the given modules that it has.
const ask = `import importlib.util, sys
print(sys.executable, *filter(importlib.util.find_spec, sys.argv[1:]), sep="\n")`

// probeTimeout is how long an interpreter may take to tell. What is called python3 on the PATH can be anything.
const probeTimeout = 20 * time.Second

// probe asks an interpreter for the modules. It runs in a folder that has no modules of these names.
func probe(ctx context.Context, interpreter, folder string) (p python, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	arguments := []string{"-c", ask}
	for module := range packageOf {
		arguments = append(arguments, module)
	}
	command := exec.CommandContext(ctx, interpreter, arguments...)
	command.Dir = folder
	command.WaitDelay = time.Second // it may be a wrapper, whose child holds the pipe
	output, err := command.Output()
	lines := strings.FieldsFunc(string(output), func(r rune) bool { return r == '\n' || r == '\r' })
	if err != nil || len(lines) == 0 {
		return python{}, false
	}
	return python{lines[0], lines[1:]}, true
}

// A plan says what runs, and where.
type plan struct {
	interpreter string   // empty where there is none
	leftOut     []string // programs that it has not all modules for
	packages    []string // of Debian, that would let all run
}

// planFor takes the interpreter that can run most of the programs, and it alone: what runs on different versions of
// Python or of Flask cannot be compared.
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

// leavesOut names the programs that the interpreter cannot run.
func (p python) leavesOut(programs []Program) (leftOut []string) {
	for _, program := range programs {
		if len(p.lacks(program.Modules)) > 0 {
			leftOut = append(leftOut, program.Name)
		}
	}
	return leftOut
}

// missingPackages names what to install so that Debian's interpreter, which packages are for, has everything.
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
