/** What is tried, as it stands in the address of the page. */
import { wordsIn } from '../filters.tsx'

export const simulationIn = wordsIn([
  'tab',
  'principal',
  'groups',
  'agent',
  'gateway',
  'tool',
  'args',
  'trust',
  'audience',
  'session',
  'said',
  'under',
  'turn',
  'since',
])
