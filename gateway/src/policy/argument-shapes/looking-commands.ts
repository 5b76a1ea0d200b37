/**
 * Commands that only look: they change nothing, reach no network and start no other program, whatever is in the files they
 * read. A program that can do more than look is here with what must not be among its words.
 */

/** Whether a program with these words only looks. */
type Looks = (words: readonly string[]) => boolean

const always: Looks = () => true

/** None of the words is one of these long options, or the beginning of one, or a cluster with one of these letters. */
function without(options: { readonly long?: readonly string[]; readonly letters?: string }): Looks {
  const { long = [], letters = '' } = options
  return (words) =>
    words.every((word) => {
      if (!word.startsWith('-') || word === '-' || word === '--') return true
      const name = word.split('=')[0] ?? word
      // GNU programs take any beginning of a long option that is clear.
      if (word.startsWith('--')) return !long.some((option) => option.startsWith(name) || name.startsWith(option))
      return !Array.from(letters).some((letter) => word.includes(letter)) && !long.some((option) => option.slice(1).startsWith(name))
    })
}

/** At most so many words that are no options: another may be a file that is written. */
function operands(most: number): Looks {
  return (words) => words.filter((word) => !word.startsWith('-')).length <= most
}

const all =
  (...tests: readonly Looks[]): Looks =>
  (words) =>
    tests.every((test) => test(words))

const only = (...allowed: readonly string[]): Looks => {
  const known = new Set(allowed)
  return (words) => words.every((word) => known.has(word))
}

/** `sed -n '10,20p' FILE`: the one form of it that cannot write or run anything. */
const printsLines: Looks = ([quiet, script = '', ...files]) =>
  quiet === '-n' && /^\d+(?:,(?:\d+|\$))?p$/.test(script) && files.every((file) => !file.startsWith('-'))

const findActs = new Set(['-exec', '-execdir', '-ok', '-okdir', '-delete', '-fls', '-fprint', '-fprint0', '-fprintf'])

/** Subcommands of git that look; each with the words behind it. */
const gitLooks: ReadonlyMap<string, Looks> = new Map([
  ...['status', 'rev-parse', 'ls-files', 'ls-tree', 'blame', 'describe', 'shortlog', 'merge-base', 'cat-file', 'rev-list'].map(
    (name) => [name, without({ long: ['--output', '--ext-diff', '--textconv', '--filters'] })] as const,
  ),
  ...['diff', 'log', 'show'].map((name) => [name, without({ long: ['--output', '--ext-diff'] })] as const),
  ['grep', without({ long: ['--open-files-in-pager', '--ext-grep'], letters: 'O' })],
  ['branch', only('-a', '-r', '-v', '-vv', '--all', '--remotes', '--list', '--show-current')],
  ['tag', only('-l', '--list')],
  ['remote', only('-v', '--verbose')],
  ['worktree', only('list')],
])
const gitStash: Looks = ([first, ...rest]) => first === 'list' && rest.length === 0

const git: Looks = (words) => {
  const [name = '', ...rest] = words[0] === '--no-pager' ? words.slice(1) : words
  return name === 'stash' ? gitStash(rest) : (gitLooks.get(name)?.(rest) ?? false)
}

const looking: ReadonlyMap<string, Looks> = new Map<string, Looks>([
  ...['ls', 'pwd', 'cat', 'head', 'tail', 'wc', 'echo', 'stat', 'du', 'df', 'cut', 'tr', 'nl', 'cmp', 'diff', 'basename', 'dirname'].map(
    (name) => [name, always] as const,
  ),
  ...['realpath', 'readlink', 'which', 'grep', 'egrep', 'fgrep', 'true', 'jq', 'whoami', 'uname'].map((name) => [name, always] as const),
  ['cd', (words) => words.length <= 1 && words.every((word) => !word.startsWith('-'))],
  ['date', (words) => words.every((word) => word.startsWith('+') || word === '-u' || word === '-I')],
  ['file', without({ long: ['--compile'], letters: 'C' })],
  ['find', (words) => words.every((word) => !findActs.has(word))],
  ['fd', without({ long: ['--exec', '--exec-batch'], letters: 'xX' })],
  ['git', git],
  ['rg', without({ long: ['--pre', '--pre-glob', '--hostname-bin'] })],
  ['sed', printsLines],
  ['sort', without({ long: ['--output', '--compress-program', '--temporary-directory'], letters: 'oT' })],
  ['tree', without({ long: ['--output'], letters: 'oR' })],
  ['uniq', all(operands(1), without({}))],
])

/** Whether a command only looks. */
export function onlyLooks([program = '', ...words]: readonly string[]): boolean {
  return looking.get(program)?.(words) ?? false
}
