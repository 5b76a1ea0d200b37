/** Opens the state that replicas share, as a configuration names it, and begins it anew. */
import type { OpeningSettings } from '../config/opening-settings.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { StateStore } from '../state/state-store.ts'
import type { NotedMarkTable } from '../store/noted-marks.ts'

/** Rejects with `state.unavailable` when it cannot be reached. `noted`: of the store beside it; left out, the state is only looked at. */
export async function openSharedState(
  { state }: Pick<OpeningSettings, 'state'>,
  { noted, clock, logger }: { readonly noted?: NotedMarkTable; readonly clock: Clock; readonly logger: Logger },
): Promise<StateStore> {
  // Loaded where it is used: the embedded default does without the client.
  const { openValkeyState } = await import('../state/valkey/open-valkey-state.ts')
  const { url = '', prefix, ca, timeout_ms: timeoutMs } = state
  return openValkeyState({ url, prefix, ca, timeoutMs, noted, clock, logger })
}

/** Nothing in it counts any more, and what begins afterwards counts as new. */
export async function resetSharedState({ state }: Pick<OpeningSettings, 'state'>, noted: NotedMarkTable): Promise<void> {
  const { resetValkeyState } = await import('../state/valkey/resetting.ts')
  const { url = '', prefix, ca, timeout_ms: timeoutMs } = state
  return resetValkeyState({ url, prefix, ca, timeoutMs, noted })
}
