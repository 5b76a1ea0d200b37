/**
 * The path of a request: the template of the document with values in its places. A value is one part of the path, whoever reads
 * it and however often it is decoded on the way: one that could leave its place is refused, not mended.
 */
import type { ApiOperation } from '../../../config/openapi/api.ts'
import type { JsonObject } from '../../../core/json.ts'
import { ArgumentProblem } from './argument-problem.ts'
import { pathText } from './parameter-text.ts'

/** Servers on the way may decode once more than they should. */
const mostDecoded = 4
/** Nothing that ends a part of a path, or that a reader of it may drop. */
const leaving = /[/\\\p{Cc}]/u
/** A part of a path that means another part; some servers cut off what follows a semicolon. */
const steps = /^\.{1,2}(?:;|$)/

/** The path without its query. Throws `ArgumentProblem`. */
export function requestPath({ path, parameters }: Pick<ApiOperation, 'path' | 'parameters'>, args: JsonObject): string {
  const values = new Map(
    parameters
      .filter(({ place }) => place === 'path')
      .map((parameter): [string, string] => {
        const value = args[parameter.argument]
        if (value === undefined || value === null) throw new ArgumentProblem(parameter.argument, 'is missing')
        const text = pathText(parameter, value)
        if (readings(text).some((reading) => leaving.test(reading)))
          throw new ArgumentProblem(
            parameter.argument,
            'has a slash, a backslash or a control character, and stands for one part of the path',
          )
        if (text === '') throw new ArgumentProblem(parameter.argument, 'is empty, and stands for a part of the path')
        return [parameter.name, text]
      }),
  )
  const written = path.replace(/\{([^{}]*)\}/g, (_whole, name: string) => values.get(name) ?? '')
  const odd = written
    .split('/')
    .slice(1)
    .some((part) => readings(part).some((reading) => steps.test(reading)))
  if (odd) throw new ArgumentProblem(parameters.find(({ place }) => place === 'path')?.argument ?? 'path', 'would lead to another path')
  return written
}

/** The text as it is, and as it is after each decoding. */
function readings(text: string): string[] {
  const found = [text]
  for (let now = text, times = 0; times < mostDecoded && now.includes('%'); times += 1) {
    now = now.replace(/%([0-9a-f]{2})/gi, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    found.push(now)
  }
  return found
}
