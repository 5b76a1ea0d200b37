/** Problems of a configuration as they are answered: each with its place, none with the line it is on, where a secret may stand. */
import type { ConfigError, ConfigProblem } from '../../config/problems.ts'
import { consoleOrigin, objectAtLine, objectText } from '../../config/managed/managed-objects.ts'
import { TurnwardError } from '../../core/error.ts'

export interface PlacedProblem extends Pick<ConfigProblem, 'code' | 'message' | 'path' | 'suggestion'> {
  /** `routes/chat`, when it is in an object that is managed here. */
  readonly object?: string
  readonly place: { readonly source: string; readonly line: number; readonly column: number }
}

/** `text`: what the managed objects were read from. */
export function placedProblems({ problems }: ConfigError, text: string): readonly PlacedProblem[] {
  return problems.map(({ code, message, path, suggestion, file, line, column }) => {
    const object = file === consoleOrigin ? objectAtLine(text, line) : undefined
    return {
      code,
      message,
      path,
      ...(object === undefined ? {} : { object: objectText(object) }),
      place: { source: file, line, column },
      ...(suggestion === undefined ? {} : { suggestion }),
    }
  })
}

const shownAtOnce = 5

/** Why a change is refused. */
export function refusalOf(problems: readonly PlacedProblem[]): TurnwardError {
  const first = problems.find(({ code }) => code === 'config.literal_secret' || code === 'config.owned_by_file')
  const shown = problems.slice(0, shownAtOnce).map((problem) => `${whereOf(problem)}: ${problem.message}`)
  const more = problems.length > shownAtOnce ? [`and ${problems.length - shownAtOnce} more`] : []
  return new TurnwardError(first?.code ?? 'config.not_compiled', {
    subject: first?.object ?? problems[0]?.object ?? 'objects',
    why: [...shown, ...more].join('; ').slice(0, 2000),
  })
}

function whereOf({ object, path, place }: PlacedProblem): string {
  return object === undefined ? `${place.source}:${place.line}:${place.column}` : `${object} (${path})`
}
