"use client";

import { createContext, useContext } from "react";

/**
 * Inside a grid only the active cell is a tab stop. What a cell holds asks here for its `tabIndex`:
 * 0 in the active cell and outside any grid, -1 elsewhere.
 */
export const RovingContext = createContext<0 | -1>(0);

export function useRovingTabIndex(): 0 | -1 {
  return useContext(RovingContext);
}
