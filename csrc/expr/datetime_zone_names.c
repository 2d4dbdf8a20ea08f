/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datetime_zone_names.c: English names of time zones, for the pattern letter z.
 *
 * The tz database has abbreviations only, and numbers for zones whose abbreviation nobody uses; Java shows names there too. The tables
 * hold the names of the zones that are met most; others fall back to the abbreviation and to "GMT-03:00".
 */
#include <stdio.h>
#include <stdlib.h>

#include "expr/datetime_format_internal.h"
#include "base/ascii.h"

/* Zones with numeric abbreviations. */
static const struct {
    const char *zone, *abbreviation, *name;
} zone_names[] = {
    {"America/Araguaina", "BRT", "Brasilia Standard Time"},
    {"America/Argentina/Buenos_Aires", "ART", "Argentina Standard Time"},
    {"America/Bahia", "BRT", "Brasilia Standard Time"},
    {"America/Belem", "BRT", "Brasilia Standard Time"},
    {"America/Bogota", "COT", "Colombia Standard Time"},
    {"America/Buenos_Aires", "ART", "Argentina Standard Time"},
    {"America/Caracas", "VET", "Venezuela Time"},
    {"America/Cuiaba", "AMT", "Amazon Standard Time"},
    {"America/Fortaleza", "BRT", "Brasilia Standard Time"},
    {"America/La_Paz", "BOT", "Bolivia Time"},
    {"America/Lima", "PET", "Peru Standard Time"},
    {"America/Maceio", "BRT", "Brasilia Standard Time"},
    {"America/Manaus", "AMT", "Amazon Standard Time"},
    {"America/Montevideo", "UYT", "Uruguay Standard Time"},
    {"America/Porto_Velho", "AMT", "Amazon Standard Time"},
    {"America/Recife", "BRT", "Brasilia Standard Time"},
    {"America/Sao_Paulo", "BRT", "Brasilia Standard Time"},
    {"Asia/Bangkok", "ICT", "Indochina Time"},
    {"Asia/Dhaka", "BST", "Bangladesh Standard Time"},
    {"Asia/Dubai", "GST", "Gulf Standard Time"},
    {"Asia/Ho_Chi_Minh", "ICT", "Indochina Time"},
    {"Asia/Singapore", "SGT", "Singapore Standard Time"},
    {"Asia/Tehran", "IRST", "Iran Standard Time"},
    {"Brazil/East", "BRT", "Brasilia Standard Time"},
};

/* By abbreviation; `zone` is what the abbreviation alone means when a text has it. */
static const struct {
    const char *abbreviation, *name, *zone;
} common_names[] = {
    {"ACST", "Australian Central Standard Time", "Australia/Adelaide"},
    {"ACDT", "Australian Central Daylight Time", "Australia/Adelaide"},
    {"AEDT", "Australian Eastern Daylight Time", "Australia/Sydney"},
    {"AEST", "Australian Eastern Standard Time", "Australia/Sydney"},
    {"AKDT", "Alaska Daylight Time", "America/Anchorage"},
    {"AKST", "Alaska Standard Time", "America/Anchorage"},
    {"ADT", "Atlantic Daylight Time", "America/Halifax"},
    {"AST", "Atlantic Standard Time", "America/Halifax"},
    {"AWST", "Australian Western Standard Time", "Australia/Perth"},
    {"BRT", "Brasilia Standard Time", "America/Sao_Paulo"},
    {"CDT", "Central Daylight Time", "America/Chicago"},
    {"CEST", "Central European Summer Time", "Europe/Paris"},
    {"CET", "Central European Standard Time", "Europe/Paris"},
    {"CST", "Central Standard Time", "America/Chicago"},
    {"EDT", "Eastern Daylight Time", "America/New_York"},
    {"EEST", "Eastern European Summer Time", "Europe/Bucharest"},
    {"EET", "Eastern European Standard Time", "Europe/Bucharest"},
    {"EST", "Eastern Standard Time", "America/New_York"},
    {"GMT", "Greenwich Mean Time", "GMT"},
    {"HKT", "Hong Kong Standard Time", "Asia/Hong_Kong"},
    {"HST", "Hawaii-Aleutian Standard Time", "Pacific/Honolulu"},
    {"IST", "India Standard Time", "Asia/Kolkata"},
    {"JST", "Japan Standard Time", "Asia/Tokyo"},
    {"KST", "Korean Standard Time", "Asia/Seoul"},
    {"MDT", "Mountain Daylight Time", "America/Denver"},
    {"MSK", "Moscow Standard Time", "Europe/Moscow"},
    {"MST", "Mountain Standard Time", "America/Denver"},
    {"NZDT", "New Zealand Daylight Time", "Pacific/Auckland"},
    {"NZST", "New Zealand Standard Time", "Pacific/Auckland"},
    {"PDT", "Pacific Daylight Time", "America/Los_Angeles"},
    {"PKT", "Pakistan Standard Time", "Asia/Karachi"},
    {"PST", "Pacific Standard Time", "America/Los_Angeles"},
    {"SAST", "South Africa Standard Time", "Africa/Johannesburg"},
    {"UTC", "Coordinated Universal Time", "UTC"},
    {"WEST", "Western European Summer Time", "Europe/Lisbon"},
    {"WET", "Western European Standard Time", "Europe/Lisbon"},
    {"WIB", "Western Indonesia Time", "Asia/Jakarta"},
};

static int
zone_row(const nb_zone *zone)
{
    for (size_t i = 0; i < NB_COUNT_OF(zone_names); i++) {
        if (nb_str_equal(zone->id, nb_str_of(zone_names[i].zone))) {
            return (int)i;
        }
    }
    return -1;
}

const char *
dt_zone_short_name(const nb_zone *zone, int64_t utc_us)
{
    const char *abbreviation = nb_zone_abbreviation(zone, utc_us);

    if (zone->is_region && (abbreviation[0] == '+' || abbreviation[0] == '-')) {
        int row = zone_row(zone);
        return row < 0 ? abbreviation : zone_names[row].abbreviation;
    }
    return abbreviation;
}

const char *
dt_zone_full_name(const nb_zone *zone, int64_t utc_us, char *buffer)
{
    const char *abbreviation = nb_zone_abbreviation(zone, utc_us);
    int32_t offset = nb_zone_offset_utc(zone, utc_us), a = abs(offset);
    int row = zone_row(zone);

    if (row >= 0) {
        return zone_names[row].name;
    }
    if (nb_str_equal(zone->id, NB_STR("Asia/Shanghai"))) {
        return "China Standard Time";
    }
    if (strcmp(abbreviation, "BST") == 0 && zone->is_region) {
        return "British Summer Time";
    }
    for (size_t i = 0; i < NB_COUNT_OF(common_names); i++) {
        if (strcmp(common_names[i].abbreviation, abbreviation) == 0) {
            return common_names[i].name;
        }
    }
    if (!zone->is_region) {
        return abbreviation;
    }
    snprintf(buffer, 64, "GMT%c%02d:%02d", offset < 0 ? '-' : '+', a / 3600, a / 60 % 60);
    return buffer;
}

int
dt_zone_by_name(const char *p, int n, const nb_zone **zone)
{
    int best = 0;
    const char *id = NULL;

    for (size_t i = 0; i < NB_COUNT_OF(common_names); i++) {
        const char *const names[2] = {common_names[i].name, common_names[i].abbreviation};
        for (int k = 0; k < 2; k++) {
            int len = (int)strlen(names[k]);
            if (len > best && len <= n &&
                nb_str_equal_nocase((nb_str){p, (size_t)len}, (nb_str){names[k], (size_t)len}) &&
                (len == n || !(nb_is_letter(p[len]) || p[len] == '/'))) {
                best = len;
                id = common_names[i].zone;
            }
        }
    }
    if (id == NULL || (*zone = nb_zone_lookup(nb_str_of(id))) == NULL) {
        return 0;
    }
    return best;
}
