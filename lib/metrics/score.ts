/**
 * Good answers as a percentage of all, rounded half up to one decimal; null when nothing was rated. Rounded in integers:
 * 12.25 % is 12.3, which binary fractions would sometimes make 12.2.
 */
export function csatScore(good: number, neutral: number, bad: number): number | null {
  const rated = good + neutral + bad;
  return rated === 0 ? null : Math.floor((2000 * good + rated) / (2 * rated)) / 10;
}
