/**
 * Shapes of arguments: what can be said of the value of an argument by looking at it alone. A contract that needs a trust can
 * name shapes with which it does not (`requires.unless`). What is too long, of another kind or in doubt has no shape.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { ArgumentShapeName } from '@turnward/contract/config/argument-shapes'
import { onlyChecks } from './checking-commands.ts'
import { plainCommands } from './command-words.ts'
import { onlyLooks } from './looking-commands.ts'
import { isPlainFile, isPlainPatch } from './plain-files.ts'

/** Argument (`$args.command`) -> shapes, one of which its value must have. Arguments that are not there say nothing; one must be. */
export type Exceptions = Readonly<Record<string, readonly ArgumentShapeName[]>>

type Shape = (value: JsonValue) => boolean

/** A text, or a list of them. */
const texts =
  (test: (text: string) => boolean): Shape =>
  (value) =>
    Array.isArray(value)
      ? value.length > 0 && value.length <= 64 && value.every((item) => typeof item === 'string' && test(item))
      : typeof value === 'string' && test(value)

const script = (test: (words: readonly string[]) => boolean) => (text: string) => {
  const commands = plainCommands(text)
  // What a command reads of another must be read by one that only looks: a pipe into a test runner is no check.
  return commands?.every(({ words, piped }) => (piped ? onlyLooks(words) : test(words))) ?? false
}

const shells = /^(?:\/(?:usr\/)?bin\/)?(?:bash|sh|zsh)$/

/** The words of a program, or a shell with one script. */
const program =
  (test: (words: readonly string[]) => boolean): Shape =>
  (value) => {
    if (typeof value === 'string') return script(test)(value)
    if (!Array.isArray(value) || value.length === 0 || value.length > 256) return false
    const words = value.filter((word) => typeof word === 'string')
    if (words.length !== value.length) return false
    const [first = '', flag, text, ...more] = words
    if (!shells.test(first)) return test(words)
    return (flag === '-lc' || flag === '-c') && text !== undefined && more.length === 0 && script(test)(text)
  }

const looksOrChecks = (words: readonly string[]) => onlyLooks(words) || onlyChecks(words)

const shapes: Readonly<Record<ArgumentShapeName, Shape>> = {
  looking_command: texts(script(onlyLooks)),
  checking_command: texts(script(looksOrChecks)),
  looking_program: program(onlyLooks),
  checking_program: program(looksOrChecks),
  plain_file: texts(isPlainFile),
  plain_patch: texts(isPlainPatch),
  empty_text: (value) => value === '',
}

const inWords: Readonly<Record<ArgumentShapeName, string>> = {
  looking_command: 'a plain command that only looks (`git status`, `ls`, `grep`)',
  checking_command: 'a plain command that looks or runs the checks of the project (`npm test`, `pytest`)',
  looking_program: 'a plain command that only looks (`git status`, `ls`, `grep`)',
  checking_program: 'a plain command that looks or runs the checks of the project (`npm test`, `pytest`)',
  plain_file: 'for a file that nothing runs or obeys by itself',
  plain_patch: 'for files that nothing runs or obeys by themselves',
  empty_text: 'empty',
}

/** What a refusal says would be no reason for one. */
export function shapesInWords(exceptions: Exceptions): string {
  return [...new Set(Object.values(exceptions).flatMap((names) => names.map((name) => inWords[name])))].join(' or ')
}

/** Whether the arguments of a call are such that the exceptions hold. */
export function isException(exceptions: Exceptions, args: JsonObject): boolean {
  const given = Object.entries(exceptions).flatMap(([reference, names]) => {
    const value = valueAt(args, reference.split('.').slice(1))
    return value === undefined ? [] : [names.some((name) => shapes[name](value))]
  })
  return given.length > 0 && given.every((holds) => holds)
}

/** The value at a path through objects; undefined where there is none. */
function valueAt(value: JsonValue, path: readonly string[]): JsonValue | undefined {
  let now: JsonValue | undefined = value
  for (const key of path) now = isObject(now) && Object.hasOwn(now, key) ? now[key] : undefined
  return now
}
