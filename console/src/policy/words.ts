/** How the policy is spoken of. */

export const spanWords: Readonly<Record<string, string>> = { '24h': 'the last day', '7d': 'the last week', '30d': 'the last month' }

export const coverageWords: Readonly<Record<'undescribed' | 'pack' | 'described', string>> = {
  undescribed: 'nobody has described',
  pack: 'described by a pack',
  described: 'described by you',
}

/** What becomes of a call. */
export const actionWords: Readonly<Record<string, string>> = {
  release: 'It would run',
  refuse: 'It would be refused',
  hold: 'It would wait for a person',
  answer: 'The gateway would answer it itself',
  observe: 'It would run, and be recorded as one that is to be refused',
}
