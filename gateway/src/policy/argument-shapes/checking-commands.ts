/**
 * Commands that check the project: its tests, its type checker, its build, by the names they have everywhere. They run what is
 * written in the project, so they prove nothing about it; what they must not do is name another program, another source of
 * packages, or an address.
 */

/** What may stand behind a checking command: plain options without a value that could name a program or an address, and names. */
const plainOption =
  /^(?:--?|-[vqxsru]|-vv|-race|-short|-list|--(?:run|watch=false|no-watch|watchAll=false|coverage|silent|quiet|verbose|bail|ci|check|noEmit|no-emit|lib|bins|tests|all|workspace|workspaces|release|all-targets|all-features|no-fail-fast|if-present|nocapture|last-failed|lf|ff|exitfirst|stepwise|fix=false|list|pretty|strict|frozen|locked|offline|list-tests|max-warnings=0))$/
/** Options with a value of its own word behind them: a pattern of names, or a count. */
const valueOption = /^(?:-k|-m|-t|-run|--grep|--testNamePattern|-count|--maxfail|-j|-g|--test-name-pattern)$/
const countedOption = /^(?:-count|--maxfail|-n|-j|--tb|--reporter|--maxWorkers|--max-workers)=?[a-z0-9%]*$/
/** A file, a folder, a name of a test. */
const plainName = /^(?![-@])[A-Za-z0-9_./@:, [\]()'-]{1,200}$/

/** Whether nothing behind a checking command could name a program, a package or an address. */
function areHarmless(words: readonly string[]): boolean {
  return words.every((word, index) => {
    const isValue = valueOption.test(words[index - 1] ?? '')
    if (word.includes('://')) return false
    if (isValue) return !word.startsWith('-') && word.length <= 200
    if (word.startsWith('-')) return plainOption.test(word) || valueOption.test(word) || countedOption.test(word)
    return plainName.test(word)
  })
}

type Checks = (words: readonly string[]) => boolean

/** Runs checks whatever is named behind it. */
const named: Checks = (words) => areHarmless(words)

/** Does what its first words say: only these, or names that mean checks. */
const scriptName =
  /^(?:test|tests|lint|build|check|checks|typecheck|type-check|types|tsc|compile|coverage|verify|unit|format:check|fmt:check)(?:[:._-][A-Za-z0-9:._-]+)?$/
/** Also by such a name: what publishes is no check. */
const publishes = /deploy|publish|release|push|upload|install|image|docker/i

function isCheckName(name: string): boolean {
  return scriptName.test(name) && !publishes.test(name)
}

const targets: Checks = (words) => {
  const names = words.filter((word) => !word.startsWith('-'))
  return names.length > 0 && names.every(isCheckName) && areHarmless(words)
}

function subcommands(known: Readonly<Record<string, Checks>>): Checks {
  return ([name = '', ...rest]) => (Object.hasOwn(known, name) ? (known[name]?.(rest) ?? false) : false)
}

/** `npm run NAME -- …`: what stands before `--` is for the package manager, and it takes options of all kinds. */
const script: Checks = ([name = '', ...rest]) => isCheckName(name) && areHarmless(rest)
const packageManager = subcommands({ test: named, t: named, run: script, 'run-script': script })

const python: Checks = ([flag, module, ...rest]) =>
  flag === '-m' && ['pytest', 'unittest', 'mypy'].includes(module ?? '') && areHarmless(rest)
const withCheck =
  (...flags: readonly string[]): Checks =>
  (words) =>
    words.some((word) => flags.includes(word)) && areHarmless(words.filter((word) => !flags.includes(word)))

/** Only what is installed already: without that word it would fetch whatever has the name. */
const installed: Checks = ([flag, program = '', ...rest]) =>
  (flag === '--no' || flag === '--no-install') && installedChecks.has(program) && onlyChecks([program, ...rest])
const installedChecks: ReadonlySet<string> = new Set(['tsc', 'vitest', 'jest', 'mocha', 'eslint', 'prettier'])

const checking: Readonly<Record<string, Checks>> = {
  npm: packageManager,
  pnpm: packageManager,
  yarn: subcommands({ test: named, run: script }),
  bun: subcommands({ test: named, run: script }),
  npx: installed,
  node: withCheck('--test'),
  deno: subcommands({ test: named, lint: named, check: named }),
  tsc: (words) => areHarmless(words.filter((word) => word !== '-p' && word !== '-b')),
  vitest: subcommands({ run: named }),
  jest: named,
  mocha: named,
  eslint: named,
  prettier: withCheck('--check'),
  pytest: named,
  python,
  python3: python,
  mypy: named,
  ruff: subcommands({ check: named }),
  uv: subcommands({ run: ([program, ...rest]) => program === 'pytest' && areHarmless(rest) }),
  cargo: subcommands({ test: named, check: named, build: named, clippy: named, nextest: subcommands({ run: named }) }),
  go: subcommands({ test: named, vet: named, build: named }),
  make: targets,
  just: targets,
  mvn: targets,
  gradle: targets,
  './gradlew': targets,
  './mvnw': targets,
  dotnet: subcommands({ test: named, build: named }),
  rspec: named,
  phpunit: named,
  ctest: named,
  swift: subcommands({ test: named, build: named }),
  mix: subcommands({ test: named, compile: named }),
}

/** Whether a command runs checks of the project and names nothing else to run. */
export function onlyChecks([program = '', ...words]: readonly string[]): boolean {
  return Object.hasOwn(checking, program) && (checking[program]?.(words) ?? false)
}
