/** What is known of objects that were made over the administration API where there are none. */
import type { ManagedFacts } from '../snapshot.ts'

export const noManagedObjects: ManagedFacts = { revision: 0, leftOut: [], holdsCalls: false }
