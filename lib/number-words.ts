/** A count as text holds it, like every text of the API in English: "21,843". Screens format the counts they are given themselves. */
export function countWords(count: number): string {
  return count.toLocaleString("en");
}
