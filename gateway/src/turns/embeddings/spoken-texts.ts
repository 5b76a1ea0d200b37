/** What is said in the conversation of a request. Pure. */
import type { JsonObject } from '../../core/json.ts'
import type { Dialect } from '../../wire/dialect.ts'
import type { RequestText } from '../../wire/request/request-texts.ts'

/** In its order, without what is said beside it: instructions, tools, settings. */
export function spokenTexts(dialect: Pick<Dialect, 'requestTexts'>, body: JsonObject): readonly RequestText[] {
  return dialect.requestTexts(body).filter(({ part }) => part !== 'system' && part !== 'tools' && part !== 'settings')
}

export function wordsOf({ holder, field }: RequestText): string {
  return String((holder as Readonly<Record<string | number, unknown>>)[field])
}
