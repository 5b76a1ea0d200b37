/**
 * Ends an answer whose maker has fallen silent: it has failed, and whoever notices says so for everybody and for good. A maker
 * that only stood still finds the end when it goes on, and stops.
 */
import { TurnwardError } from '../../core/error.ts'
import { asText, type JsonObject } from '../../core/json.ts'
import type { KeptAnswers } from '../../wire/kept-answers.ts'
import { failureOf } from './answer-failure.ts'
import { type BackgroundAnswers, topicOf } from './background-answers.ts'
import type { Keeper } from './keeper.ts'
import { endAnswer, findByKey } from './kept-store.ts'
import { endStream } from './kept-streams.ts'

/** False when it is still made. */
export async function endAbandoned(background: BackgroundAnswers, keeper: Keeper, kept: KeptAnswers, key: string): Promise<boolean> {
  if (await background.isRunning(keeper, key)) return false
  const found = await findByKey(keeper, key)
  if (found?.isOpen === true) {
    const { previous, input } = found
    const response = interrupted(kept, found.response)
    const id = asText(response.id)
    await endAnswer(
      keeper,
      { id, response, previous, inputText: JSON.stringify(input), modelCall: id },
      { announce: topicOf(key), isShort: true },
    )
  }
  // One that has its end already may lack that of its stream.
  await endStream(keeper, key)
  return true
}

/** An answer that nobody makes any more. */
export function interrupted(kept: KeptAnswers, response: JsonObject): JsonObject {
  return kept.ended(response, { status: 'failed', ...failureOf(new TurnwardError('response.interrupted')) })
}
