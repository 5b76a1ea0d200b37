/**
 * Reads the small part of shell language whose meaning is the same in every shell and can be told without running anything:
 * plain words, quotes without expansion, and commands joined by `;`, `&&`, `||` and `|`. Whatever else a text has (expansion,
 * substitution, redirection into files, background, comments, several lines) makes it unreadable here, and so not plain.
 * General parsers of shell text are no help: they forgive, and a line break that one takes for a space hides a command.
 */

/** One command of a text, in order. */
export interface PlainCommand {
  /** At least one; the first is the program. */
  readonly words: readonly string[]
  /** Whether it reads what the command before it writes. */
  readonly piped: boolean
}

const longest = 4096
const maxCommands = 32
/** Characters of a word outside quotes. No `~`, `$`, globs, braces, `#`, `!`, `\` or `^`: each means something in some shell. */
const plainCharacter = /^[A-Za-z0-9_./:=@%+,-]$/
/** What is not text in double quotes. */
const expands = /[$`\\!]/
/** Redirections that reach no file. */
const harmless = /^(?:2>&1|[12]?> ?\/dev\/null)(?=[ ;&|]|$)/
const joint = /^(?:&&|\|\||;|\|)/

/** The commands of a text; undefined when any part of it is not plain. */
export function plainCommands(text: string): readonly PlainCommand[] | undefined {
  const script = text.trim()
  if (script === '' || script.length > longest || !/^[\x20-\x7e]*$/.test(script)) return undefined
  const commands: PlainCommand[] = []
  let [words, piped, at]: [string[], boolean, number] = [[], false, 0]
  while (at < script.length) {
    const rest = script.slice(at)
    const ends = joint.exec(rest)?.[0]
    const redirected = harmless.exec(rest)?.[0]
    if (rest.startsWith(' ')) at += 1
    else if (ends !== undefined) {
      if (words.length === 0 || commands.length >= maxCommands) return undefined
      commands.push({ words, piped })
      ;[words, piped] = [[], ends === '|']
      at += ends.length
    } else if (redirected !== undefined) {
      if (words.length === 0) return undefined
      at += redirected.length
    } else {
      const read = plainWord(rest)
      if (read === undefined) return undefined
      words.push(read.word)
      at += read.length
    }
  }
  if (words.length === 0) return undefined
  commands.push({ words, piped })
  // `NAME=value command`, and what zsh makes of `=name`.
  return commands.every(({ words: [program = ''] }) => program !== '' && !program.includes('=')) ? commands : undefined
}

function plainWord(text: string): { readonly word: string; readonly length: number } | undefined {
  let [word, at] = ['', 0]
  while (at < text.length && !/[ ;&|<>]/.test(text[at] ?? '')) {
    const character = text[at] ?? ''
    if (character === "'" || character === '"') {
      const end = text.indexOf(character, at + 1)
      if (end === -1) return undefined
      const quoted = text.slice(at + 1, end)
      if (character === '"' && expands.test(quoted)) return undefined
      word += quoted
      at = end + 1
    } else if (plainCharacter.test(character)) {
      word += character
      at += 1
    } else return undefined
  }
  return at === 0 || text.startsWith('=') ? undefined : { word, length: at }
}
