/** An upstream's error status, told to the client: as the whole answer, or inside one that has begun. */
import type { TurnwardError } from '../../core/error.ts'
import type { RoutedResponse } from '../../models/asking-upstream.ts'
import type { ModelCall } from '../call.ts'
import { readFailure } from './upstream-failure.ts'

/** Ends the client's answer and resolves with what is recorded, or rejects with what must be told in our own words. */
export async function relayFailure(call: ModelCall, routed: RoutedResponse): Promise<TurnwardError> {
  const { failure, status, headers, body } = await readFailure(call, routed)
  const { outlet } = call.origin
  if (outlet.hasBegun) throw failure
  outlet.head(status, headers)
  outlet.end(body)
  return failure
}
