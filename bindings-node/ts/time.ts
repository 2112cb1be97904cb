/** Times are integers in answers, as on the wire; this makes a `Date` of one. Milliseconds; values below 1e11 are read as seconds. */
export function toDate(moment: number): Date {
  return new Date(Math.abs(moment) < 1e11 ? moment * 1000 : moment);
}
