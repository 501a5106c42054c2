/**
 * A template that runs into the time of one template on any machine, however fast, and never into what it may hold before:
 * a thousand million turns over one list.
 */
export const slowTemplate = `{% assign list = (1..1000) %}${"{% for item in list %}".repeat(3)}{% assign last = item %}${"{% endfor %}".repeat(3)}`;
