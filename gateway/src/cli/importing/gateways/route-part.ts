/** What a plugin of another gateway says of the words and answers of a route, as it is set on the routes that it is for. */
import type { DraftEntry } from './draft-entry.ts'

export type RoutePart = (route: DraftEntry) => void
