/** What a verb is about to do to the store, noted there before it is done: a gateway that runs on the store, or the next one, puts it on record. */
import { userInfo } from 'node:os'
import { systemClock } from '../core/clock.ts'
import { newId } from '../core/ids.ts'
import type { NotedAct } from '../store/acts.ts'
import type { Store } from '../store/store.ts'

/** `verb`: as it is called, `turnward keys`. `by`: who does it; the user of this machine without. Rejects when it cannot be noted: then nothing is to be done. */
export async function noteAct(
  { acts }: Pick<Store, 'acts'>,
  { verb, by, ...act }: Pick<NotedAct, 'act' | 'subject' | 'reason'> & { readonly verb: string; readonly by?: string | undefined },
): Promise<void> {
  await acts.note({ id: newId('dec'), time: systemClock.now(), by: by ?? `${userInfo().username} (${verb})`, ...act })
}
