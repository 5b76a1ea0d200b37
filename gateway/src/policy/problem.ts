/** What is wrong with a part of the configuration, located by its path; the config room adds file, line and column. */
export interface PolicyProblem {
  /** From the root of the configuration: `['contracts', 'mail__send', 'requires', 'trust']`. */
  readonly path: readonly (string | number)[]
  /** One sentence, with a suggestion where there is one. */
  readonly message: string
}
