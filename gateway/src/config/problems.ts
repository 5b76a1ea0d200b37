/**
 * What is wrong with a configuration, each problem at its line and column, and the error that carries all of
 * them at once. Messages and source excerpts must never show a secret.
 */
import { relative } from 'node:path'
import type { ErrorCodeName } from '@turnward/contract/error-codes'
import { TurnwardError } from '../core/error.ts'
import { pathText, type ConfigPath, type Spot } from './locate.ts'
import { maskedLine } from './masking.ts'

export interface ConfigProblem {
  /** `config.invalid`, or `config.not_available` for parts a later release fills. */
  readonly code: ErrorCodeName
  /** Absolute path. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** `routes[0].upstreams[1]`; empty for the whole file. */
  readonly path: string
  readonly message: string
  /** A name that exists and looks like the one written. */
  readonly suggestion?: string
  /** The line it points at, secrets masked. */
  readonly source?: string
}

export interface ProblemOptions {
  readonly suggestion?: string | undefined
  readonly code?: ErrorCodeName | undefined
  /** Only to be looked at: the configuration is taken. */
  readonly isNotice?: boolean
}

/** A problem at a path of the configuration; the position is looked up. */
export type ReportAt = (path: ConfigPath, message: string, options?: ProblemOptions & { readonly where?: 'key' | 'value' }) => void

/** Enough to repair a file in one go; a broken generator is not printed in full. */
const maxProblems = 200

/** A shorter value is found in ordinary words, and is no secret. */
const shortestHidden = 6

/** Beyond this a caret helps nobody. */
const maxShownColumn = 160

/** Collects problems while a configuration is read; the same thing said twice about one place is kept once. */
export class ProblemList {
  readonly #problems: ConfigProblem[] = []
  readonly #notices: ConfigProblem[] = []
  readonly #seen = new Set<string>()
  /** Values that came through a reference, and the reference as written. */
  readonly #hidden = new Map<string, string>()

  get size(): number {
    return this.#problems.length
  }

  add(spot: Spot, path: ConfigPath, message: string, options: ProblemOptions = {}): void {
    const { line, col } = spot.file.lines.linePos(spot.offset)
    const seen = `${spot.file.path}:${line}:${col}:${message}`
    if (this.#seen.has(seen) || this.#problems.length >= maxProblems || this.#notices.length >= maxProblems) return
    this.#seen.add(seen)
    const start = Math.max(0, spot.offset - (col - 1))
    const end = spot.file.text.indexOf('\n', start)
    const source = maskedLine(spot.file.text.slice(start, end === -1 ? undefined : end).trimEnd(), path)
    const problem: ConfigProblem = {
      code: options.code ?? 'config.invalid',
      file: spot.file.path,
      line: Math.max(1, line),
      column: Math.max(1, col),
      path: pathText(path),
      message,
      ...(options.suggestion === undefined ? {} : { suggestion: options.suggestion }),
      ...(source.trim() === '' || col > maxShownColumn || spot.file.isPrivate === true ? {} : { source }),
    }
    if (options.isNotice === true) this.#notices.push(problem)
    else this.addRaw(problem)
  }

  /** From now on no problem shows this value: a message that would quote it shows the reference instead. */
  hide(value: string, reference: string): void {
    if (value.length >= shortestHidden) this.#hidden.set(value, reference)
  }

  /** A problem about a file that has no lines to point at. */
  addRaw(problem: ConfigProblem): void {
    this.#problems.push(problem)
  }

  /** In reading order: by file as first mentioned, then by position. */
  sorted(): ConfigProblem[] {
    return this.#inOrder(this.#problems)
  }

  /** What is to be looked at in a configuration that is taken, in the same order. */
  notices(): ConfigProblem[] {
    return this.#inOrder(this.#notices)
  }

  #inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
    const files = [...new Set(problems.map((problem) => problem.file))]
    return problems
      .map((problem) => this.#withoutValues(problem))
      .toSorted((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column)
  }

  // Long values first: one may be part of another.
  #withoutValues(problem: ConfigProblem): ConfigProblem {
    const hidden = [...this.#hidden].toSorted(([a], [b]) => b.length - a.length)
    const mask = (text: string): string => hidden.reduce((masked, [value, reference]) => masked.replaceAll(value, () => reference), text)
    return {
      ...problem,
      message: mask(problem.message),
      path: mask(problem.path),
      ...(problem.suggestion === undefined ? {} : { suggestion: mask(problem.suggestion) }),
    }
  }
}

/** All that is wrong with a configuration. `problems` is never empty. */
export class ConfigError extends TurnwardError {
  readonly problems: readonly ConfigProblem[]

  /** `base`: the folder file names are printed relative to. */
  constructor(problems: readonly ConfigProblem[], base: string) {
    const first = problems[0]
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
    super('config.invalid', { why: first === undefined ? 'unknown problem' : `${headline(first, base)}${more}` })
    this.name = 'ConfigError'
    this.problems = problems
    this.text = formatProblems(problems, base)
  }

  /** Every problem with its source line and caret, ready for a terminal. */
  readonly text: string

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), problems: this.problems }
  }
}

function headline(problem: ConfigProblem, base: string): string {
  const suggestion = problem.suggestion === undefined ? '' : `; did you mean \`${problem.suggestion}\`?`
  return `${shownFile(problem.file, base)}:${problem.line}:${problem.column}  ${problem.message}${suggestion}`
}

function shownFile(file: string, base: string): string {
  const short = relative(base, file)
  return short.length < file.length ? short : file
}

/** `turnward.yaml:12:3  unknown key …`, then the source line with a caret under the place. */
export function formatProblem(problem: ConfigProblem, base: string): string {
  const head = headline(problem, base)
  if (problem.source === undefined) return head
  const gutter = `${problem.line} | `
  const source = problem.source.replaceAll('\t', ' ')
  return `${head}\n  ${gutter}${source}\n  ${' '.repeat(gutter.length + problem.column - 1)}^`
}

export function formatProblems(problems: readonly ConfigProblem[], base: string): string {
  return problems.map((problem) => formatProblem(problem, base)).join('\n')
}
