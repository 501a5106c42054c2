import { isoSeconds } from "../world/clock.ts";
import type { FieldOwner } from "../world/definitions.ts";
import type { CustomStatus, FieldDefinition, Group } from "../world/rows.ts";
import type { World } from "../world/world.ts";
import { distorted } from "./distort.ts";
import { type Wire, wireId } from "./json.ts";

export function groupRow(world: World, base: string, group: Group): Wire {
  return distorted(world, "group", group.id, {
    url: `${base}/api/v2/groups/${group.id}.json`,
    id: wireId(group.id),
    is_public: true,
    name: group.name,
    description: group.description,
    default: group.isDefault,
    deleted: group.deleted,
    created_at: isoSeconds(group.createdAt),
    updated_at: isoSeconds(group.updatedAt),
  });
}

/** A field definition: ticket fields are known by id and have portal settings, the others have a key. */
export function fieldRow(
  world: World,
  base: string,
  owner: FieldOwner,
  field: FieldDefinition,
  position: number,
): Wire {
  return distorted(world, "field", field.id, {
    url: `${base}/api/v2/${owner}_fields/${field.id}.json`,
    id: wireId(field.id),
    type: field.type,
    ...(owner !== "ticket" && { key: field.key }),
    title: field.title,
    raw_title: field.title,
    description: field.description,
    raw_description: field.description,
    position,
    active: field.active,
    ...(owner === "ticket" ? ticketFieldSettings(field) : { system: field.system }),
    regexp_for_validation: null,
    created_at: isoSeconds(field.createdAt),
    updated_at: isoSeconds(field.updatedAt),
    ...(owner === "ticket" || field.type === "checkbox" ? { tag: null } : {}),
    ...(field.options.length > 0 && optionsOf(field)),
  });
}

function ticketFieldSettings(field: FieldDefinition): Wire {
  return {
    required: false,
    collapsed_for_agents: false,
    title_in_portal: field.title,
    raw_title_in_portal: field.title,
    visible_in_portal: field.system,
    editable_in_portal: field.system,
    required_in_portal: false,
    removable: !field.system,
    agent_description: null,
  };
}

/** System fields list their values apart, without ids. */
function optionsOf(field: FieldDefinition): Wire {
  if (!field.system) return { custom_field_options: field.options.map(optionRow) };
  return { system_field_options: field.options.map(({ name, value }) => ({ name, value })) };
}

function optionRow(option: FieldDefinition["options"][number], position: number): Wire {
  const { id, name, value } = option;
  return { id: wireId(id), name, raw_name: name, value, position, default: false };
}

export function customStatusRow(base: string, status: CustomStatus): Wire {
  return {
    url: `${base}/api/v2/custom_statuses/${status.id}.json`,
    id: wireId(status.id),
    status_category: status.category,
    agent_label: status.agentLabel,
    end_user_label: status.endUserLabel,
    description: "",
    end_user_description: "",
    raw_agent_label: status.agentLabel,
    raw_end_user_label: status.endUserLabel,
    raw_description: "",
    raw_end_user_description: "",
    active: status.active,
    default: status.isDefault,
    created_at: isoSeconds(status.createdAt),
    updated_at: isoSeconds(status.updatedAt),
  };
}
